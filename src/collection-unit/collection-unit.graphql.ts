import { Field, InputType } from 'type-graphql';

@InputType('CollectionUnitInput', {
  description:
    'What a state belongs to: one scope as one collector reads it. The four texts are stored and answered exactly as given: no trimming, no case folding, no Unicode normalisation. Control characters and lone surrogates are refused.',
})
export class CollectionUnitInput {
  @Field(() => String, {
    description: 'What is rated: often a UUID, but any text of 1 to 256 characters (code points).',
  })
  scopeId!: string;

  @Field(() => String, {
    description: 'What kind of id the scope id is, such as `project_id` or `namespace`: 1 to 40 characters.',
  })
  scopeKey!: string;

  @Field(() => String, {
    description:
      'The source that usage is read from, such as `gnocchi`, `monasca` or `prometheus`: 1 to 40 characters.',
  })
  collector!: string;

  @Field(() => String, {
    description: 'What listed the scope, such as `keystone`, `prometheus` or `source`: 1 to 40 characters.',
  })
  fetcher!: string;
}
