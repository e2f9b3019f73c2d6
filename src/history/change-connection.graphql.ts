import { ArgsType, Field, Int, ObjectType } from 'type-graphql';
import { PageInfo } from '../relay/page-info.graphql.js';
import { ScopeStateChangeFilterInput } from './change-filter.graphql.js';
import { ScopeStateChangeObject } from './change.graphql.js';

@ArgsType()
export class ChangesArguments {
  @Field(() => ScopeStateChangeFilterInput, {
    nullable: true,
    description: 'Which changes; all of them if absent.',
  })
  filter?: ScopeStateChangeFilterInput | null;

  @Field(() => Int, { nullable: true, description: 'The newest so many: 1 to 1,000, 100 if absent.' })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'Only what is older than this cursor’s change.' })
  after?: string | null;
}

@ObjectType('ScopeStateChangeEdge', { description: 'A change and its place in the connection.' })
export class ScopeStateChangeEdge {
  @Field(() => String, { description: 'Opaque; for `after`.' })
  cursor!: string;

  @Field(() => ScopeStateChangeObject, { description: 'The change.' })
  node!: ScopeStateChangeObject;
}

@ObjectType('ScopeStateChangeConnection', {
  description:
    'A page of changes (Relay, Cursor Connections), newest first. What is changed meanwhile comes before the first page.',
})
export class ScopeStateChangeConnection {
  @Field(() => [ScopeStateChangeEdge], { description: 'The changes of this page, each with its cursor.' })
  readonly edges: ScopeStateChangeEdge[];

  @Field(() => PageInfo, { description: 'Where this page stands.' })
  readonly pageInfo: PageInfo;

  @Field(() => [ScopeStateChangeObject], { description: 'The changes of this page.' })
  readonly nodes: ScopeStateChangeObject[];

  constructor(edges: ScopeStateChangeEdge[], neighbours: Pick<PageInfo, 'hasNextPage' | 'hasPreviousPage'>) {
    this.edges = edges;
    this.nodes = edges.map((edge) => edge.node);
    this.pageInfo = {
      hasNextPage: neighbours.hasNextPage,
      hasPreviousPage: neighbours.hasPreviousPage,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    };
  }
}
