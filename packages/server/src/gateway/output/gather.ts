import { PortcullisError } from '@portcullis/contract';
import type { UpstreamReply } from '../upstreams/upstream.ts';

/** The whole body, at most `limit` bytes. Rejects with a PortcullisError `upstream_*`. */
export function gather(reply: UpstreamReply, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    reply.read({
      chunk(bytes) {
        size += bytes.length;
        if (size <= limit) {
          chunks.push(bytes);
          return;
        }
        chunks.length = 0;
        reject(
          new PortcullisError('upstream_invalid', `The provider's answer is larger than ${limit} bytes.`),
        );
      },
      end: () => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
      fail: reject,
    });
  });
}
