import { Arg, Authorized, Ctx, ID, Query, Resolver } from 'type-graphql';
import { anyRole } from '../caller/role.rules.js';
import type { CallContext } from '../caller/caller.js';
import type { Grants } from '../caller/grant.rules.js';
import { readNodeId } from './node-id.js';
import { Node } from './node.graphql.js';

/** How the nodes of a type are fetched, by its name; null for what is not granted. */
export type NodesOfTypes = ReadonlyMap<string, (row: bigint, grants: Grants) => Promise<Node | null>>;

@Resolver()
export class NodeResolver {
  private readonly types: NodesOfTypes;

  constructor(types: NodesOfTypes) {
    this.types = types;
  }

  @Authorized(anyRole)
  @Query(() => Node, {
    nullable: true,
    description: 'The object of that id; null if it is not there any more.',
  })
  node(
    @Arg('id', () => ID, { description: 'An id that was answered.' }) id: string,
    @Ctx() { grants }: CallContext,
  ): Promise<Node | null> {
    const { type, row } = readNodeId([...this.types.keys()], id, 'id');
    return this.types.get(type)!(row, grants);
  }
}
