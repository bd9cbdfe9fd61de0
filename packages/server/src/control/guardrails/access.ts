import { PortcullisError } from '@portcullis/contract';
import type { Guardrail } from '@portcullis/policy';
import type { GuardrailTools } from '../../ports/guardrail-tools.ts';

export function guardrailNotFound(id: string): PortcullisError {
  return new PortcullisError('not_found', `Guardrail with ID ${id} not found`);
}

/** A guardrail of the configuration file in force, by its id. */
export function configGuardrail(tools: GuardrailTools, id: string): Guardrail | null {
  return configGuardrails(tools).find(({ guardrail_id }) => guardrail_id === id) ?? null;
}

export function configGuardrails(tools: GuardrailTools): readonly Guardrail[] {
  return tools.inForce().filter(({ definition_location }) => definition_location === 'config');
}
