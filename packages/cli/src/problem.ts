/** Why a command could not do what it was asked for: place, reason and next step. Printed without a stack. */
export class CliProblem extends Error {
  override readonly name = 'CliProblem';
}
