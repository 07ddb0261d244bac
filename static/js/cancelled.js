// @ts-check

/** The person has thought better of it: no error, and told quietly if at all. */
export class Cancelled extends Error {
  /** @param {string} message for the person */
  constructor(message) {
    super(message);
    this.name = "Cancelled";
  }
}
