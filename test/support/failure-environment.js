import { TestEnvironment } from 'jest-environment-node';

/** Tells the tests' own clean-up whether a test of the file has failed: its database is then kept. */
export default class FailureEnvironment extends TestEnvironment {
  handleTestEvent(event) {
    if (event.name === 'test_fn_failure' || event.name === 'hook_failure') this.global.someTestFailed = true;
  }
}
