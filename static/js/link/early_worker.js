// @ts-check
/**
 * Starts the worker while the page's own modules are still on their way: it has modules to load
 * too, and one that runs already is simply joined.
 */

import { addressIn, lineToWorker } from "./worker_line.js";

const address = addressIn();
// Whether it can be had is for the page to find out, which has another way.
if (address) lineToWorker(address, () => {});
