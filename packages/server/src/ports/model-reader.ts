import type { Deployment } from './models.ts';
import type { ModelDocument } from './policy-store.ts';

/** One deployment as it was written, with open secrets. */
export interface WrittenModel {
  readonly modelId: string;
  readonly modelName: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly info: Readonly<Record<string, unknown>>;
}

/** One deployment as the gateway calls it. */
export interface ReadModel {
  readonly modelName: string;
  readonly guardrails: readonly string[];
  readonly deployment: Deployment;
}

/** What is wrong with a written model: the place below the model, and why. */
export interface ModelProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Reads models of the API by the rules of the configuration file, and keeps their settings sealed. */
export interface ModelReader {
  read(
    model: WrittenModel,
  ):
    | { readonly ok: true; readonly model: ReadModel; readonly ignored: readonly string[] }
    | { readonly ok: false; readonly problems: readonly ModelProblem[] };
  seal(modelId: string, params: WrittenModel['params']): string;
  /** @throws SecretProblem when the settings cannot be opened. */
  open(model: ModelDocument): WrittenModel;
}
