// Models of the API, read by the same rules as `model_list`.
import type { ModelProblem, ModelReader, WrittenModel } from '../ports/model-reader.ts';
import { ConfigDocument } from './document.ts';
import { Findings } from './findings.ts';
import { type ModelDefaults, readModels } from './models.ts';

/** Where the one model stands in the document that is made of it. */
const ROOT = 2;

/**
 * Reads one model. It sees nothing of the environment: whoever may write models by the API would else be able to send any
 * variable of this machine to an address of their own.
 */
export function readStoredModel(
  { modelId, modelName, params, info }: WrittenModel,
  defaults: ModelDefaults,
): ReturnType<ModelReader['read']> {
  const entry = { model_name: modelName, litellm_params: params, model_info: { ...info, id: modelId } };
  // JSON is YAML, too.
  const text = JSON.stringify({ model_list: [entry] });
  const document = new ConfigDocument({ file: 'model', text, variables: {} });
  const findings = new Findings(document);
  const ignored = new Set<string>();
  for (const problem of document.problems) {
    findings.errorAt(problem.code, problem.path, problem.message, problem.offset);
  }
  for (const { path, name } of document.missing) {
    findings.error(
      'missing_variable',
      path,
      `os.environ/${name} is read in the configuration file alone: give the value itself, which is kept encrypted`,
    );
  }
  const { deployedGroups, modelGroups } = readModels(document, findings, defaults, ignored);
  const deployment = deployedGroups[0]?.deployments[0];
  const guardrails = modelGroups[0]?.deployments[0]?.guardrails ?? [];
  if (!findings.failed && deployment !== undefined) {
    return {
      ok: true,
      model: { modelName, guardrails, deployment: { ...deployment, isStored: true } },
      ignored: [...ignored].map((name) => name.replace('model_list[].', '')).toSorted(),
    };
  }
  const problems = findings
    .list()
    .filter(({ severity }) => severity === 'error')
    .map(({ path, message }): ModelProblem => ({ path: path.slice(ROOT), message }));
  return {
    ok: false,
    problems: problems.length > 0 ? problems : [{ path: [], message: 'this is no model' }],
  };
}
