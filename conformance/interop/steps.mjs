// Steps: each prints one line, and together they decide how the program ends.

import { isDeepStrictEqual } from 'node:util';

/** What was asked for and what came of it, step by step. */
export class Steps {
  taken = 0;
  failed = 0;

  /**
   * Carries a step out and compares what it gives with what is expected. A step that throws has given
   * the error's text. Nothing a step does ends the program: later steps may still tell something.
   */
  async expect(what, expected, act) {
    this.taken += 1;
    const got = await attempt(act);
    if (isDeepStrictEqual(got, expected)) {
      console.log(`ok   ${what}`);
    } else {
      this.failed += 1;
      console.log(`FAIL ${what}: expected ${shown(expected)} got ${shown(got)}`);
    }
  }

  /** Says how it all came out; true when every step came out as it should. */
  finish() {
    const well = this.failed === 0;
    const wrong = `${this.failed} of ${this.taken} steps came out wrong`;
    console.log(well ? 'every step came out as it should' : wrong);
    return well;
  }
}

async function attempt(act) {
  try {
    return await act();
  } catch (error) {
    return error.message;
  }
}

function shown(value) {
  return JSON.stringify(value) ?? 'nothing';
}
