import { ArgsType, Field, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { PageInfo } from '../relay/page-info.graphql.js';
import { ScopeStateFilterInput } from './filter.graphql.js';
import type { Order } from './position.rules.js';
import { ScopeStateObject } from './scope-state.graphql.js';

export enum ScopeStateOrderField {
  SCOPE_ID = 'SCOPE_ID',
  LAST_PROCESSED_TIMESTAMP = 'LAST_PROCESSED_TIMESTAMP',
}
registerEnumType(ScopeStateOrderField, {
  name: 'ScopeStateOrderField',
  description:
    'What a connection of states is sorted by; among equals by the order in which they were created.',
  valuesConfig: {
    SCOPE_ID: {
      description:
        'By the scope id’s bytes in UTF-8. A state keeps its place while it is advanced or backfilled.',
    },
    LAST_PROCESSED_TIMESTAMP: {
      description:
        'By the state itself: ascending, the ones furthest behind come first. An advanced state moves.',
    },
  },
});

export enum OrderDirection {
  ASC = 'ASC',
  DESC = 'DESC',
}
registerEnumType(OrderDirection, {
  name: 'OrderDirection',
  description: 'Which end comes first.',
  valuesConfig: {
    ASC: { description: 'The smallest or earliest first.' },
    DESC: { description: 'The largest or latest first.' },
  },
});

@InputType('ScopeStateOrder', { description: 'How a connection of states is sorted.' })
export class ScopeStateOrderInput implements Order {
  @Field(() => ScopeStateOrderField, {
    defaultValue: ScopeStateOrderField.SCOPE_ID,
    description: 'What to sort by.',
  })
  field!: ScopeStateOrderField;

  @Field(() => OrderDirection, { defaultValue: OrderDirection.ASC, description: 'Which end comes first.' })
  direction!: OrderDirection;
}

@ArgsType()
export class ScopeStatesArguments {
  @Field(() => ScopeStateFilterInput, { nullable: true, description: 'Which states; all of them if absent.' })
  filter?: ScopeStateFilterInput | null;

  @Field(() => ScopeStateOrderInput, {
    nullable: true,
    description:
      'How to sort: by scope id, ascending, if absent. A cursor is good for the order that it came from.',
  })
  orderBy?: ScopeStateOrderInput | null;

  @Field(() => Int, {
    nullable: true,
    description: 'The first so many: 1 to 1,000, 100 if neither is given.',
  })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'Only what follows this cursor.' })
  after?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'The last so many: 1 to 1,000. Refused together with `first`.',
  })
  last?: number | null;

  @Field(() => String, { nullable: true, description: 'Only what precedes this cursor.' })
  before?: string | null;
}

@ObjectType('ScopeStateEdge', { description: 'A state and its place in the connection.' })
export class ScopeStateEdge {
  private readonly cursorOf: () => string;

  constructor(node: ScopeStateObject, cursorOf: () => string) {
    this.node = node;
    this.cursorOf = cursorOf;
  }

  @Field(() => String, { description: 'Opaque; for `after` and `before`, with the same `orderBy`.' })
  get cursor(): string {
    return this.cursorOf();
  }

  @Field(() => ScopeStateObject, { description: 'The state.' })
  readonly node: ScopeStateObject;
}

/** What a page has of its states; each is made where it is asked for. */
export interface PageOfStates extends Pick<PageInfo, 'hasNextPage' | 'hasPreviousPage'> {
  readonly nodes: ScopeStateObject[];
  readonly cursorAt: (place: number) => string;
  readonly count: () => Promise<number>;
}

class PageInfoOfStates implements PageInfo {
  private readonly page: PageOfStates;

  constructor(page: PageOfStates) {
    this.page = page;
  }

  get hasNextPage(): boolean {
    return this.page.hasNextPage;
  }

  get hasPreviousPage(): boolean {
    return this.page.hasPreviousPage;
  }

  get startCursor(): string | null {
    return this.cursorAt(0);
  }

  get endCursor(): string | null {
    return this.cursorAt(this.page.nodes.length - 1);
  }

  private cursorAt(place: number): string | null {
    return this.page.nodes[place] ? this.page.cursorAt(place) : null;
  }
}

@ObjectType('ScopeStateConnection', {
  description:
    'A page of states (Relay, Cursor Connections). Pages follow the sorted value, not a count: a state that does not move is neither missed nor repeated, whatever else happens meanwhile.',
})
export class ScopeStateConnection {
  private readonly page: PageOfStates;
  private madeEdges: ScopeStateEdge[] | undefined;

  constructor(page: PageOfStates) {
    this.page = page;
  }

  @Field(() => [ScopeStateEdge], { description: 'The states of this page, each with its cursor.' })
  get edges(): ScopeStateEdge[] {
    const { nodes, cursorAt } = this.page;
    return (this.madeEdges ??= nodes.map((node, place) => new ScopeStateEdge(node, () => cursorAt(place))));
  }

  @Field(() => PageInfo, { description: 'Where this page stands.' })
  get pageInfo(): PageInfo {
    return new PageInfoOfStates(this.page);
  }

  @Field(() => [ScopeStateObject], { description: 'The states of this page.' })
  get nodes(): ScopeStateObject[] {
    return this.page.nodes;
  }

  @Field(() => Int, {
    description: 'How many states match the filter, exactly; counted only when asked for.',
  })
  totalCount(): Promise<number> {
    return this.page.count();
  }
}
