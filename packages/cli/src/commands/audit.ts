import { connect, type RemoteOptions } from '../client.ts';
import { type Output, painter } from '../output.ts';
import { cell } from '../table.ts';

/** Every row is read and its hash made again, which takes a while for a long log. */
const VERIFY_MS = 600_000;
/** It answered, and the log is not whole. */
const BROKEN = 2;

/** Has a running gateway verify its audit log. Gives the exit code: 2 when the log was edited or cut. */
export async function verifyAudit(options: RemoteOptions, output: Output): Promise<number> {
  const client = await connect(options);
  const answer = await client.get('/audit/verify', {}, VERIFY_MS);
  const whole = answer['ok'] === true;
  if (options.json === true) {
    output.line(JSON.stringify(answer, null, 2));
  } else if (whole) {
    const { green } = painter(output);
    output.line(green(`The audit log is whole: ${cell(answer['count'])} rows`));
    output.line(`head  ${cell(answer['head'])}`);
    output.note('Keep the head elsewhere: a log that was replaced as a whole has another one.');
  } else {
    const { red } = painter(output);
    output.line(red(`The audit log is not whole: row ${cell(answer['number'])}: ${cell(answer['reason'])}`));
  }
  return whole ? 0 : BROKEN;
}
