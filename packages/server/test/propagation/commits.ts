import postgres from 'postgres';

/** Hears of every revision at its commit, beside the replicas. Gives what ends it. */
export async function listenForCommits(
  url: string,
  listener: (revision: number) => void,
): Promise<() => Promise<void>> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  await sql.listen('portcullis_revision', (revision) => listener(Number(revision)));
  return () => sql.end();
}
