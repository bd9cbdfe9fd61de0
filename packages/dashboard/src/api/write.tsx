import { ApiError, type AnswerOf, type RequestOf, type RouteName } from '@portcullis/contract';
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from 'react';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Badge } from '../ui/feedback.tsx';
import { Ago } from '../ui/time.tsx';
import { call } from './client.ts';
import { queries } from './query-client.ts';

interface ChangedObject {
  readonly object: string;
  readonly id: string;
  readonly name: string | null;
  readonly change: string;
}

interface ChangeEntry {
  readonly revision: number;
  readonly at: string;
  readonly by: string;
  readonly objects: readonly ChangedObject[];
}

interface Conflict {
  readonly changes: readonly ChangeEntry[];
  readonly concerns: (object: ChangedObject) => boolean;
  readonly answer: (again: boolean) => void;
}

/** What a write is about: what was seen when it was begun, and which other changes matter to it. */
export interface WriteAbout {
  /** The revision of the data that the change was made from; null writes whatever there is. */
  readonly revision: number | null;
  /** Names and ids that this write changes or builds on. */
  readonly concerns?: readonly (string | null)[];
}

/**
 * Writes, and then has every page read again. When somebody was faster (V7), shows what changed and asks.
 * @returns the good answer. @throws ApiError as the gateway told it; `revision_stale` when the user gave up.
 */
export type Write = <Name extends RouteName>(
  name: Name,
  request: RequestOf<Name>,
  about: WriteAbout,
) => Promise<AnswerOf<Name>>;

const WriteContext = createContext<((conflict: Conflict | null) => void) | null>(null);

export function ConflictProvider({ children }: { readonly children: ReactNode }) {
  const [conflict, setConflict] = useState<Conflict | null>(null);
  return (
    <WriteContext value={setConflict}>
      {children}
      {conflict === null ? null : <ConflictDialog conflict={conflict} />}
    </WriteContext>
  );
}

export function useWrite(): Write {
  const show = useContext(WriteContext);
  const ask = useCallback(
    (changes: readonly ChangeEntry[], concerns: Conflict['concerns']) =>
      new Promise<boolean>((resolve) => {
        const answer = (again: boolean): void => {
          show?.(null);
          resolve(again);
        };
        show?.({ changes, concerns, answer });
      }),
    [show],
  );
  return useMemo<Write>(() => {
    const write: Write = async (name, request, { revision, concerns = [] }) => {
      const given = request as object;
      const conditional = revision === null ? given : { ...given, ifMatch: revision };
      try {
        // The table's types hold for the caller; here the name is any.
        const { body } = await (call as LooseCall)(name, conditional);
        await queries.invalidateQueries();
        return body as never;
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== 'revision_stale') throw error;
        const { changes, revision: newest } = error.fields as {
          readonly changes?: readonly ChangeEntry[];
          readonly revision?: number;
        };
        const isConcerned = ({ id, name: called }: ChangedObject): boolean =>
          concerns.includes(id) || (called !== null && concerns.includes(called));
        const again = await ask(changes ?? [], isConcerned);
        if (!again) {
          await queries.invalidateQueries();
          throw error;
        }
        return write(name, request, { revision: newest ?? null, concerns });
      }
    };
    return write;
  }, [ask]);
}

type LooseCall = (name: string, request: object) => Promise<{ readonly body: unknown }>;

function ConflictDialog({ conflict: { changes, concerns, answer } }: { readonly conflict: Conflict }) {
  const touches = changes.flatMap(({ objects }) => objects).filter(concerns);
  return (
    <Dialog
      title="Somebody was faster"
      onClose={() => answer(false)}
      foot={
        <>
          <Button onClick={() => answer(false)}>Keep theirs, go back</Button>
          <Button look={touches.length > 0 ? 'danger' : 'primary'} onClick={() => answer(true)}>
            {touches.length > 0 ? 'Write mine over it' : 'Save mine as well'}
          </Button>
        </>
      }
    >
      <div className="stack">
        <p>
          {touches.length > 0
            ? 'While you were editing, the same thing was changed. Writing yours replaces what is marked below.'
            : 'While you were editing, other things were changed, but not what you are about to save.'}
        </p>
        <ul className="stack-tight">
          {changes.map(({ revision, at, by, objects }) => (
            <li key={revision}>
              <span className="row-tight">
                <Badge>revision {revision}</Badge>
                <span className="muted small">
                  by {by}, <Ago at={at} />
                </span>
              </span>
              <ul>
                {objects.map((object) => (
                  <li key={`${object.object} ${object.id}`} className="row-tight small">
                    {object.object} <strong>{object.name ?? object.id}</strong> {object.change}
                    {concerns(object) ? <Badge tone="bad">the same as yours</Badge> : null}
                  </li>
                ))}
              </ul>
            </li>
          ))}
        </ul>
      </div>
    </Dialog>
  );
}
