import { type TestCustomCode, testCustomCodeSchema } from '@portcullis/contract';
import type { ControlContext } from '../context.ts';
import type { Route } from '../route.ts';

/** `POST /guardrails/test_custom_code`: runs code once in the sandbox, on the content given. */
export function testCustomCodeRoute({ guardrails: { tools } }: ControlContext): Route<TestCustomCode> {
  return {
    method: 'POST',
    path: '/guardrails/test_custom_code',
    permission: 'admin',
    body: testCustomCodeSchema,
    takesAnyText: true,
    async handler({ body }) {
      const result = await tools.tryCode({
        source: body.custom_code,
        inputs: body.test_input,
        inputType: body.input_type,
        requestData: body.request_data,
        allowedHosts: body.allowed_hosts,
      });
      if (!result.ok) return { body: { success: false, error: result.error, error_type: result.type } };
      const { verdict } = result;
      const texts = verdict.action === 'modify' ? verdict.texts : null;
      const reason = verdict.action === 'block' ? verdict.reason : null;
      return {
        body: {
          success: true,
          result: { action: verdict.action, reason: reason ?? null, texts: texts ?? body.test_input.texts },
        },
      };
    },
  };
}
