// @ts-check

/**
 * Hide something that has done its work, or show it. With what is hidden the focus would be gone
 * too, and who moves by keys back at the top of the page.
 *
 * @param {HTMLElement} element
 * @param {boolean} isHidden
 * @param {() => void} moveOn puts the focus, if the element has it, where one goes on from
 */
export function setHidden(element, isHidden, moveOn) {
  const hadFocus = isHidden && element.contains(document.activeElement);
  element.hidden = isHidden;
  if (hadFocus) moveOn();
}

/** @param {string} id of what takes the focus, in sight or not */
export function focusOn(id) {
  document.getElementById(id)?.focus({ preventScroll: true });
}
