import { Field, ObjectType } from 'type-graphql';

@ObjectType('PageInfo', {
  description:
    'Where a page stands in its connection (Relay, Cursor Connections). Both `has…` fields are true to fact, whichever way you page.',
})
export class PageInfo {
  @Field(() => Boolean, { description: 'Whether an item follows the last one of this page.' })
  hasNextPage!: boolean;

  @Field(() => Boolean, { description: 'Whether an item precedes the first one of this page.' })
  hasPreviousPage!: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'Cursor of the first item, for `before`; null on an empty page.',
  })
  startCursor!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Cursor of the last item, for `after`; null on an empty page.',
  })
  endCursor!: string | null;
}
