import {
  closestCenter,
  DndContext,
  KeyboardSensor,
  PointerSensor,
  useSensor,
  useSensors,
} from '@dnd-kit/core';
import {
  arrayMove,
  SortableContext,
  sortableKeyboardCoordinates,
  verticalListSortingStrategy,
} from '@dnd-kit/sortable';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { guardrailsQuery, type PolicyRow, validateQuery, versionsQuery } from '../../api/policies.ts';
import { useMayWrite } from '../../api/session.tsx';
import { useWrite } from '../../api/write.tsx';
import { Button, IconButton, LinkButton } from '../../ui/button.tsx';
import { Empty, ErrorNotice, Notice, Skeleton } from '../../ui/feedback.tsx';
import { Segments } from '../../ui/form.tsx';
import { Page } from '../../ui/layout.tsx';
import { LeaveGuard } from '../../ui/leave-guard.tsx';
import { useParam, useSearchState } from '../../ui/search-state.ts';
import { useToast } from '../../ui/toast.tsx';
import { useDebounced } from '../../ui/use-debounced.ts';
import { StatusBadge } from '../policies/words.tsx';
import { draftOf, type DraftStep, newStep, pipelineOf, useHistory, withoutId } from './draft.ts';
import './flow.css';
import { firstDeadStep } from './sentence.ts';
import { StepCard } from './step-card.tsx';
import { TestDrawer } from './test-drawer.tsx';

/** The pipeline of one version, step by step. */
export function FlowPage() {
  const name = useParam('name');
  const [search] = useSearchState();
  const versions = useQuery(versionsQuery(name));
  if (versions.isPending) return <Skeleton lines={8} />;
  const rows = versions.data?.versions ?? [];
  const row =
    rows.find(({ version_number }) => String(version_number) === search['version']) ??
    rows.find(({ version_status }) => version_status === 'draft') ??
    rows[0];
  if (row === undefined) {
    return (
      <Page title="Flow builder" parent={{ to: '/policies', label: 'Policies' }}>
        <ErrorNotice
          error={versions.error ?? new Error('It has no version.')}
          title="The policy could not be read"
        />
      </Page>
    );
  }
  return <Builder key={row.policy_id} row={row} revision={versions.data?.revision ?? null} />;
}

function Builder({ row, revision }: { readonly row: PolicyRow; readonly revision: number | null }) {
  const mayWrite = useMayWrite();
  const navigate = useNavigate();
  const write = useWrite();
  const tell = useToast();
  const guardrails = useQuery(guardrailsQuery);
  const initial = useMemo(() => draftOf(row.pipeline), [row.pipeline]);
  const { now: draft, change, undo, redo, canUndo, canRedo } = useHistory(initial);
  const [isTesting, setTesting] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const isDraft = row.version_status === 'draft' && row.definition_location === 'db';
  const isLocked = !isDraft || !mayWrite;
  const pipeline = pipelineOf(draft);
  const dead = firstDeadStep(draft.steps);
  const isDirty = !isBusy && JSON.stringify(pipeline) !== JSON.stringify(pipelineOf(initial));
  const missing = [...new Set(draft.steps.map(({ guardrail }) => guardrail))].filter(
    (name) => name !== '' && !row.guardrails_add.includes(name),
  );
  const checked = useCheckedSteps(row, pipeline, missing);
  const names = useMemo(() => namesServing(guardrails.data ?? [], draft.mode), [draft.mode, guardrails.data]);
  const { steps } = draft;
  const set = (next: readonly DraftStep[], kind?: string): void =>
    change({ ...draft, steps: next }, kind ?? null);
  const move = (index: number, by: number): void => {
    const to = index + by;
    if (to >= 0 && to < steps.length) set(arrayMove([...steps], index, to));
  };
  useUndoKeys(undo, redo, isLocked);

  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );

  const save = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const saved = await write(
        'PUT /policies/:policy_id',
        {
          params: { policy_id: row.policy_id },
          body: {
            pipeline,
            ...(missing.length === 0 ? {} : { guardrails_add: [...row.guardrails_add, ...missing] }),
          },
        },
        { revision, concerns: [row.policy_id, row.policy_name] },
      );
      tell('good', `The pipeline of v${saved.version_number} is saved.`);
      await navigate({
        to: `/policies/${encodeURIComponent(row.policy_name)}`,
        search: { version: String(row.version_number) },
        ignoreBlocker: true,
      });
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };

  return (
    <Page
      title={`Flow of ${row.policy_name} v${row.version_number}`}
      parent={{ to: `/policies/${encodeURIComponent(row.policy_name)}`, label: row.policy_name }}
      badges={<StatusBadge status={row.version_status} />}
      lead="Guardrails one after the other; each result says where the request goes next."
      actions={
        <>
          <IconButton icon="undo" label="Undo (Ctrl+Z)" look="default" disabled={!canUndo} onClick={undo} />
          <IconButton icon="redo" label="Redo (Ctrl+Y)" look="default" disabled={!canRedo} onClick={redo} />
          <Button icon="playground" disabled={pipeline === null} onClick={() => setTesting(true)}>
            Test
          </Button>
          {isLocked ? null : (
            <Button look="primary" busy={isBusy} disabled={!isDirty} onClick={() => void save()}>
              Save the draft
            </Button>
          )}
        </>
      }
    >
      <LeaveGuard isDirty={isDirty} />
      {isDraft ? null : (
        <Notice title="Only drafts can be edited">
          <p>This version reads as it runs. Make a new draft of the policy to change it.</p>
          <p>
            <LinkButton small to={`/policies/${encodeURIComponent(row.policy_name)}`}>
              To the policy
            </LinkButton>
          </p>
        </Notice>
      )}
      {error === null ? null : <ErrorNotice error={error} title="Not saved" />}
      <Segments
        label="It runs"
        disabled={isLocked}
        choices={[
          { value: 'pre_call', label: 'Before the model' },
          { value: 'post_call', label: 'On the answer' },
        ]}
        value={draft.mode}
        onChange={(mode) => change({ ...draft, mode })}
      />
      {missing.length === 0 ? null : (
        <Notice>
          Saving also adds {missing.join(', ')} to the policy’s own list, as every step’s guardrail must be in
          it.
        </Notice>
      )}
      {steps.length === 0 ? (
        <Empty
          icon="flow"
          title="No steps yet"
          action={
            isLocked ? undefined : (
              <Button look="primary" icon="plus" onClick={() => set([newStep()])}>
                Add the first step
              </Button>
            )
          }
        >
          Without a pipeline the guardrails of the policy run side by side. With one they run in order, and
          the result of each decides what happens next.
        </Empty>
      ) : (
        <div className="flow">
          <p className="flow-end">
            {draft.mode === 'pre_call' ? 'A request comes in' : 'The model has answered'}
          </p>
          <DndContext
            sensors={sensors}
            collisionDetection={closestCenter}
            onDragEnd={({ active, over }) => {
              const from = steps.findIndex(({ id }) => id === active.id);
              const to = steps.findIndex(({ id }) => id === over?.id);
              if (from !== -1 && to !== -1 && from !== to) set(arrayMove([...steps], from, to));
            }}
          >
            <SortableContext items={steps.map(({ id }) => id)} strategy={verticalListSortingStrategy}>
              <ol>
                {steps.map((step, index) => (
                  <StepCard
                    key={step.id}
                    step={step}
                    index={index}
                    count={steps.length}
                    guardrails={names}
                    isDead={dead !== null && index >= dead}
                    isLocked={isLocked}
                    problems={checked
                      .filter(({ field }) => field?.startsWith(`pipeline.steps.${index}`) === true)
                      .filter(({ code }) => code !== 'unreachable_step')
                      .map(({ message }) => message)}
                    onChange={(edit, kind) =>
                      set(
                        steps.map((other) => (other.id === step.id ? { ...other, ...edit } : other)),
                        kind,
                      )
                    }
                    onMove={(by) => move(index, by)}
                    onCopy={() => set(steps.toSpliced(index + 1, 0, newStep(withoutId(step))))}
                    onDelete={() => set(steps.filter(({ id }) => id !== step.id))}
                  />
                ))}
              </ol>
            </SortableContext>
          </DndContext>
          {isLocked ? null : (
            <p style={{ marginLeft: 38, paddingBottom: 10 }}>
              <Button icon="plus" onClick={() => set([...steps, newStep()])}>
                Add a step
              </Button>
            </p>
          )}
          <p className="flow-end">{endWords(draft.mode, steps)}</p>
        </div>
      )}
      {isTesting && pipeline !== null ? (
        <TestDrawer pipeline={pipeline} policy={row.policy_name} onClose={() => setTesting(false)} />
      ) : null}
    </Page>
  );
}

/** What becomes of a request that comes to the end (P2). */
function endWords(mode: string, steps: readonly DraftStep[]): string {
  const target = mode === 'pre_call' ? 'to the model' : 'to the caller';
  const last = steps.at(-1);
  const open = last !== undefined && [last.on_pass, last.on_fail, last.on_error ?? 'block'].includes('next');
  return open
    ? `The end: a pass of the last step goes on ${target}, anything else is blocked`
    : `What was allowed goes on ${target}; other policies may still say no`;
}

/** Guardrails that run in this mode. */
function namesServing(
  rows: readonly {
    readonly guardrail_name: string;
    readonly litellm_params: Readonly<Record<string, unknown>>;
  }[],
  mode: string,
): readonly string[] {
  const serves = (written: unknown): boolean => {
    if (typeof written === 'string') return written === mode;
    return Array.isArray(written) ? written.includes(mode) : true;
  };
  return [
    ...new Set(rows.filter((row) => serves(row.litellm_params['mode'])).map((row) => row.guardrail_name)),
  ].sort();
}

/** What the gateway says of the steps, asked while somebody edits. */
function useCheckedSteps(
  row: PolicyRow,
  pipeline: ReturnType<typeof pipelineOf>,
  missing: readonly string[],
) {
  const isWhole = pipeline !== null && pipeline.steps.every(({ guardrail }) => guardrail !== '');
  const { guardrails_remove: remove, guardrails_lock: lock, inherit, condition } = row;
  const add = [...row.guardrails_add, ...missing];
  const definition = useDebounced(
    JSON.stringify({
      [row.policy_name]: { inherit, condition, guardrails: { add, remove, lock }, pipeline },
    }),
    300,
  );
  const { data } = useQuery({
    ...validateQuery(definition),
    enabled: isWhole,
    placeholderData: keepPreviousData,
  });
  return isWhole && data !== undefined ? [...data.errors, ...data.warnings] : [];
}

function useUndoKeys(undo: () => void, redo: () => void, isLocked: boolean): void {
  useEffect(() => {
    if (isLocked) return;
    const onKey = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey)) return;
      const key = event.key.toLowerCase();
      const isRedo = key === 'y' || (key === 'z' && event.shiftKey);
      if (!isRedo && key !== 'z') return;
      event.preventDefault();
      if (isRedo) redo();
      else undo();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [isLocked, redo, undo]);
}
