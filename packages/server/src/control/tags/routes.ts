import {
  type NamedTag,
  namedTagSchema,
  PortcullisError,
  type Tag,
  type TagInfo,
  tagInfoSchema,
  tagSchema,
} from '@portcullis/contract';
import type { Stores } from '../../ports/database.ts';
import type { Identity } from '../../ports/identity.ts';
import type { TagRecord } from '../../ports/tags.ts';
import { actorOf, type ControlContext } from '../context.ts';
import type { Route } from '../route.ts';

/** Tags that an administrator describes, for people who choose among them. */

/** `POST /tag/new`. */
export function newTagRoute({ database, clock }: ControlContext): Route<Tag> {
  return {
    method: 'POST',
    path: '/tag/new',
    permission: 'admin',
    body: tagSchema,
    async handler({ body, identity, callId }) {
      const nowMs = clock.now();
      const { by } = actorOf(identity);
      const tag: TagRecord = {
        name: body.name,
        description: body.description ?? null,
        models: body.models ?? [],
        createdAtMs: nowMs,
        createdBy: by,
        updatedAtMs: nowMs,
        updatedBy: by,
      };
      await database.transaction(async (stores) => {
        if ((await stores.tags.insert(tag)) === 'name_taken') {
          // 400 and not 409: what the reference answers here is a fault, and scripts of it expect a bad request.
          throw new PortcullisError('invalid_request', `Tag ${tag.name} already exists`, { param: 'name' });
        }
        await record(stores, 'tag.new', null, tag, { nowMs, identity, callId });
      });
      return { body: { message: `Tag ${tag.name} created successfully`, tag: tagRow(tag) } };
    },
  };
}

/** `POST /tag/update`: only given fields change. */
export function updateTagRoute({ database, clock }: ControlContext): Route<Tag> {
  return {
    method: 'POST',
    path: '/tag/update',
    permission: 'admin',
    body: tagSchema,
    async handler({ body, identity, callId }) {
      const nowMs = clock.now();
      const tag = await database.transaction(async (stores) => {
        const before = await requireTag(stores, body.name);
        await stores.tags.update(body.name, {
          ...(body.description === undefined ? {} : { description: body.description }),
          ...(body.models === undefined ? {} : { models: body.models ?? [] }),
          updatedAtMs: nowMs,
          updatedBy: actorOf(identity).by,
        });
        const after = await requireTag(stores, body.name);
        await record(stores, 'tag.update', before, after, { nowMs, identity, callId });
        return after;
      });
      return { body: { message: `Tag ${tag.name} updated successfully`, tag: tagRow(tag) } };
    },
  };
}

/** `POST /tag/info`: the named ones by name. */
export function tagInfoRoute({ database }: ControlContext): Route<TagInfo> {
  return {
    method: 'POST',
    path: '/tag/info',
    permission: 'admin_viewer',
    body: tagInfoSchema,
    async handler({ body }) {
      const tags = await database.stores.tags.find(body.names);
      const missing = body.names.filter((name) => !tags.some((tag) => tag.name === name));
      if (missing.length > 0) {
        throw new PortcullisError('not_found', `Tags not found: ${missing.join(', ')}`, { param: 'names' });
      }
      return { body: Object.fromEntries(tags.map((tag) => [tag.name, tagRow(tag)])) };
    },
  };
}

/** `GET /tag/list`. */
export function tagListRoute({ database }: ControlContext): Route {
  return {
    method: 'GET',
    path: '/tag/list',
    permission: 'admin_viewer',
    async handler() {
      return { body: (await database.stores.tags.list()).map(tagRow) };
    },
  };
}

/** `POST /tag/delete`: the description goes; keys, teams and attachments keep the tag. */
export function deleteTagRoute({ database, clock }: ControlContext): Route<NamedTag> {
  return {
    method: 'POST',
    path: '/tag/delete',
    permission: 'admin',
    body: namedTagSchema,
    async handler({ body, identity, callId }) {
      await database.transaction(async (stores) => {
        const before = await requireTag(stores, body.name);
        await stores.tags.delete(body.name);
        await record(stores, 'tag.delete', before, null, { nowMs: clock.now(), identity, callId });
      });
      return { body: { message: `Tag ${body.name} deleted successfully` } };
    },
  };
}

function tagRow(tag: TagRecord): Readonly<Record<string, unknown>> {
  return {
    name: tag.name,
    description: tag.description,
    models: tag.models,
    model_info: {},
    created_at: new Date(tag.createdAtMs).toISOString(),
    updated_at: new Date(tag.updatedAtMs).toISOString(),
    created_by: tag.createdBy,
  };
}

async function requireTag({ tags }: Stores, name: string): Promise<TagRecord> {
  const [tag] = await tags.find([name]);
  if (tag === undefined) throw new PortcullisError('not_found', `Tag ${name} not found`, { param: 'name' });
  return tag;
}

async function record(
  { audit }: Stores,
  action: string,
  before: TagRecord | null,
  after: TagRecord | null,
  {
    nowMs,
    identity,
    callId,
  }: { readonly nowMs: number; readonly identity: Identity; readonly callId: string },
): Promise<void> {
  await audit.append({
    atMs: nowMs,
    actor: actorOf(identity),
    action,
    object: { type: 'tag', id: (after ?? before)?.name ?? '' },
    before: before === null ? null : tagRow(before),
    after: after === null ? null : tagRow(after),
    refused: null,
    callId,
  });
}
