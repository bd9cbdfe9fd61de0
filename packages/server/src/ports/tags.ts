/** A tag that an administrator has described. Tags that are not here are as good in selectors. */
export interface TagRecord {
  readonly name: string;
  readonly description: string | null;
  readonly models: readonly string[];
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly updatedAtMs: number;
  readonly updatedBy: string;
}

export type TagChanges = Partial<Pick<TagRecord, 'description' | 'models'>> &
  Pick<TagRecord, 'updatedAtMs' | 'updatedBy'>;

export interface TagStore {
  insert(tag: TagRecord): Promise<'inserted' | 'name_taken'>;
  find(names: readonly string[]): Promise<readonly TagRecord[]>;
  update(name: string, changes: TagChanges): Promise<'updated' | 'not_found'>;
  delete(name: string): Promise<'deleted' | 'not_found'>;
  /** Sorted by name. */
  list(): Promise<readonly TagRecord[]>;
}
