import { Arg, Authorized, ID, Query, Resolver } from 'type-graphql';
import { anyRole } from '../caller/role.rules.js';
import { readNodeId } from './node-id.js';
import { Node } from './node.graphql.js';

/** How the nodes of a type are fetched, by its name. */
export type NodesOfTypes = ReadonlyMap<string, (row: bigint) => Promise<Node | null>>;

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
  node(@Arg('id', () => ID, { description: 'An id that was answered.' }) id: string): Promise<Node | null> {
    const { type, row } = readNodeId([...this.types.keys()], id, 'id');
    return this.types.get(type)!(row);
  }
}
