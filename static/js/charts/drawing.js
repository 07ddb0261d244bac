// @ts-check
/**
 * What a chart has beside its lines, drawn on uPlot's canvas. Its pixels are those of the screen.
 */

/** @typedef {import("uplot")} UPlot */

/**
 * A level across the chart.
 *
 * @param {UPlot} plot
 * @param {number} value
 * @param {string} colour
 */
export function drawLevel(plot, value, colour) {
  const y = plot.valToPos(value, "y", true);
  line(plot, colour, [plot.bbox.left, y], [plot.bbox.left + plot.bbox.width, y]);
}

/**
 * An instant down the chart.
 *
 * @param {UPlot} plot
 * @param {number} time
 * @param {string} colour
 */
export function drawInstant(plot, time, colour) {
  const x = plot.valToPos(time, "x", true);
  if (x < plot.bbox.left || x > plot.bbox.left + plot.bbox.width) return;
  line(plot, colour, [x, plot.bbox.top], [x, plot.bbox.top + plot.bbox.height]);
}

/**
 * A dot at the end of a line.
 *
 * @param {UPlot} plot
 * @param {number} time
 * @param {number} value
 * @param {string} colour
 */
export function drawDot(plot, time, value, colour) {
  inside(plot, (context, scale) => {
    context.fillStyle = colour;
    context.beginPath();
    const [x, y] = [plot.valToPos(time, "x", true), plot.valToPos(value, "y", true)];
    context.arc(x, y, 3 * scale, 0, 2 * Math.PI);
    context.fill();
  });
}

/**
 * A triangle with its tip at the price: from below for what was bought, from above for what was sold.
 *
 * @param {UPlot} plot
 * @param {import("./prices.js").FillPoint} fill
 * @param {import("./look.js").Colours} colours
 */
export function drawFill(plot, { time, price, deed }, colours) {
  inside(plot, (context, scale) => {
    const [x, y] = [plot.valToPos(time, "x", true), plot.valToPos(Number(price), "y", true)];
    const height = (deed === "bought" ? 9 : -9) * scale;
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x - 5 * scale, y + height);
    context.lineTo(x + 5 * scale, y + height);
    context.closePath();
    context.fillStyle = deed === "bought" ? colours.text : colours.surface;
    context.strokeStyle = colours.text;
    context.lineWidth = 1.5 * scale;
    context.fill();
    context.stroke();
  });
}

/** @param {UPlot} plot @param {string} colour @param {[number, number]} from @param {[number, number]} to */
function line(plot, colour, from, to) {
  inside(plot, (context, scale) => {
    context.strokeStyle = colour;
    context.lineWidth = scale;
    context.setLineDash([4 * scale, 4 * scale]);
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    context.stroke();
  });
}

/** @param {UPlot} plot @param {(context: CanvasRenderingContext2D, scale: number) => void} draw */
function inside({ ctx, bbox }, draw) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  draw(ctx, devicePixelRatio);
  ctx.restore();
}
