// A classic script in the head, not a module: the saved theme must be there before the first paint.
(() => {
  function show() {
    try {
      const { theme, palette } = JSON.parse(localStorage.getItem("preferences") ?? "{}");
      if (theme) document.documentElement.dataset.theme = theme;
      if (palette) document.documentElement.dataset.palette = palette;
    } catch {
      // Storage that is blocked or damaged leaves the defaults.
    }
  }

  show();
  addEventListener("storage", ({ key }) => key === "preferences" && show());
})();
