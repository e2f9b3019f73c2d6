import { activation } from './activation.js';
import { advance } from './advance.js';
import { check } from './check.js';
import { create } from './create.js';
import { deletion } from './deletion.js';
import type { ExampleGroup } from './example.js';
import { history } from './history.js';
import { live } from './live.js';
import { look } from './look.js';
import { rekey } from './rekey.js';
import { reset } from './reset.js';

/** In an order in which they can be run from top to bottom, each with the outcome that it announces. */
export const exampleGroups: ExampleGroup[] = [
  look,
  live,
  create,
  check,
  advance,
  activation,
  rekey,
  reset,
  history,
  deletion,
];
