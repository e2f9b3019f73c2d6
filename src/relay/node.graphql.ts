import { Field, ID, InterfaceType } from 'type-graphql';

@InterfaceType('Node', {
  description: 'An object that can be fetched again by its id (Relay, Global Object Identification).',
})
export abstract class Node {
  @Field(() => ID, {
    description: 'Opaque and stable: it never changes, and is never used again for another object.',
  })
  abstract readonly id: string;
}
