/** What the outcome means in every enum that has it. */
export const forbiddenUnit =
  'The unit is not one of those that the caller is granted, whether it has a state or not. Nothing was changed; the other items of a batch are done. Sending it again mends nothing.';
