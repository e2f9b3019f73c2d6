import pg from 'pg';
import type { Pool } from '../../src/database/pool.js';

interface Statement {
  text: string;
  values?: unknown[];
  name?: string | undefined;
  /** what it was sent behind */
  settings?: { text: string };
}

/** What EXPLAIN (FORMAT JSON) tells of a node. */
interface PlanNode {
  'Node Type': string;
  'Total Cost': number;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: PlanNode[];
}

export interface Plan {
  /** node types of whatever ran, and reads a table */
  scans: string[];
  indexes: string[];
  /** rows that were fetched, whether or not they passed: what the work grows with, on a machine of any speed */
  visited: number;
  /** as the planner expects it */
  cost: number;
  millis: number;
}

/** Whether it is one of the settings, which a session is told once. */
export function setsOnly({ text }: Statement): boolean {
  return text.startsWith('/* Read.settings ');
}

/** A pool that notes the statements which repositories send through it. */
export class NotingPool {
  readonly statements: Statement[] = [];
  readonly pool: Pool;

  constructor(pool: Pool) {
    const connect = async () => {
      const client = await pool.connect();
      const query = (asked: pg.Query & Statement) => {
        const { text, values, name, settings } = asked;
        if (!setsOnly(asked)) this.statements.push({ text, values, name, settings } as Statement);
        return client.query(asked);
      };
      return { query, release: client.release.bind(client) };
    };
    this.pool = { connect, totalCount: 1 } as unknown as Pool;
  }

  /** The plan of the statement sent last, as it ran once more. */
  planOfLast(client: pg.Client): Promise<Plan> {
    return planOf(client, this.statements.at(-1)!);
  }

  /** The plan that a session keeps for the statement sent last, which has a name: made for whatever values may come. */
  async keptPlanOfLast(client: pg.Client): Promise<Plan> {
    const { name, text, values = [], settings } = this.statements.at(-1)!;
    if (name === undefined) throw new Error(`it has no name: ${text}`);
    await client.query(`begin; set local plan_cache_mode = force_generic_plan`);
    if (settings) await client.query(settings.text);
    await client.query(`prepare kept as ${text}`);
    const given = values.map((value) => pg.escapeLiteral(String(value))).join(', ');
    const plan = await planOf(client, { text: `execute kept${given && ` (${given})`}` });
    await client.query('rollback; deallocate kept');
    return plan;
  }

  /** The plans of all statements sent since it was asked last, as they ran once more. */
  async plansOfNew(client: pg.Client): Promise<Plan[]> {
    const plans: Plan[] = [];
    for (const statement of this.statements.splice(0)) plans.push(await planOf(client, statement));
    return plans;
  }
}

/** The plan of a statement as it ran, behind its settings: what is behind the words `explain (…)`. */
export async function planOf(client: pg.Client, { text, values = [], settings }: Statement): Promise<Plan> {
  if (settings) await client.query(`begin; ${settings.text}`);
  const { rows } = await client.query(`explain (analyze, format json) ${text}`, values);
  if (settings) await client.query('rollback');
  const [explained] = rows[0]['QUERY PLAN'] as { Plan: PlanNode; 'Execution Time': number }[];
  const ran = nodesOf(explained!.Plan).filter((node) => node['Actual Loops'] > 0);
  const reading = ran.filter((node) => node['Relation Name'] !== undefined);
  const fetched = (node: PlanNode) =>
    node['Actual Rows'] +
    (node['Rows Removed by Filter'] ?? 0) +
    (node['Rows Removed by Index Recheck'] ?? 0);
  return {
    scans: reading.map((node) => node['Node Type']),
    indexes: ran.flatMap((node) => node['Index Name'] ?? []),
    visited: reading.reduce((sum, node) => sum + fetched(node) * node['Actual Loops'], 0),
    cost: explained!.Plan['Total Cost'],
    millis: explained!['Execution Time'],
  };
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}
