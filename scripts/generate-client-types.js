// Writes src/client/schema-types.ts from schema.graphql; `--check` only compares. A script of ours, because the usual
// generator brings 45 packages (with its command line 290) for what graphql's own reader and these lines do.
import { readFileSync, writeFileSync } from 'node:fs';
import * as graphql from 'graphql';
import prettier from 'prettier';

const file = 'src/client/schema-types.ts';
const scalars = { DateTime: 'string', Duration: 'string' };
const builtIn = { ID: 'string', String: 'string', Int: 'number', Float: 'number', Boolean: 'boolean' };

const schema = graphql.buildSchema(readFileSync('schema.graphql', 'utf8'));
const types = Object.values(schema.getTypeMap()).filter(
  ({ name }) => !name.startsWith('__') && !(name in builtIn),
);
const text = await prettier.format(
  ['// Made from schema.graphql by `npm run client:generate`: do not edit.', ...types.map(declare)].join(
    '\n\n',
  ),
  { ...(await prettier.resolveConfig(file)), parser: 'typescript' },
);
if (!process.argv.includes('--check')) writeFileSync(file, text);
else if (readFileSync(file, 'utf8') !== text) {
  console.error(`${file} is not what schema.graphql says: npm run client:generate`);
  process.exitCode = 1;
}

function declare(type) {
  const doc = comment(type.description);
  if (graphql.isScalarType(type)) {
    if (!(type.name in scalars))
      throw new Error(`say in ${import.meta.filename} what a ${type.name} is in JSON`);
    return `${doc}export type ${type.name} = ${scalars[type.name]};`;
  }
  if (graphql.isEnumType(type)) return `${doc}export type ${type.name} = ${literals(type)};`;
  if (graphql.isUnionType(type)) return `${doc}export type ${type.name} = ${names(type.getTypes(), ' | ')};`;
  const fields = Object.values(type.getFields());
  if (graphql.isInputObjectType(type)) {
    return type.isOneOf
      ? `${doc}export type ${type.name} = ${fields.map((field) => oneOf(field, fields)).join(' | ')};`
      : `${doc}export interface ${type.name} {\n${fields.map(input).join('\n')}\n}`;
  }
  const parents = type.getInterfaces();
  const above = parents.length > 0 ? ` extends ${names(parents, ', ')}` : '';
  return [
    `${doc}export interface ${type.name}${above} {\n${fields.map(output).join('\n')}\n}`,
    ...fields.filter(({ args }) => args.length > 0).map((field) => argumentsOf(type, field)),
  ].join('\n\n');
}

function output({ name, type, description }) {
  return `${comment(description)}${name}: ${reference(type)};`;
}

/** What may be null may be left out too, and so may what has a default. */
function input({ name, type, description, defaultValue }) {
  const optional = !graphql.isNonNullType(type) || defaultValue !== undefined;
  return `${comment(description)}${name}${optional ? '?' : ''}: ${reference(type)}${optional ? ' | undefined' : ''};`;
}

/** Exactly this field; the others must not be there. */
function oneOf(field, fields) {
  const given = `${comment(field.description)}${field.name}: ${reference(new graphql.GraphQLNonNull(field.type))};`;
  const others = fields.filter((other) => other !== field).map(({ name }) => `${name}?: never;`);
  return `{\n${[given, ...others].join('\n')}\n}`;
}

function argumentsOf(type, { name, args }) {
  const title = `${type.name}${name[0].toUpperCase()}${name.slice(1)}Args`;
  return `/** The arguments of \`${type.name}.${name}\`. */\nexport interface ${title} {\n${args.map(input).join('\n')}\n}`;
}

function reference(type) {
  if (!graphql.isNonNullType(type)) return `${reference(new graphql.GraphQLNonNull(type))} | null`;
  const { ofType } = type;
  if (graphql.isListType(ofType)) return `readonly (${reference(ofType.ofType)})[]`;
  return builtIn[ofType.name] ?? ofType.name;
}

function names(types, separator) {
  return types.map(({ name }) => name).join(separator);
}

function literals(type) {
  return type
    .getValues()
    .map(({ name, description }) => `\n${comment(description)}| '${name}'`)
    .join('');
}

function comment(description) {
  if (!description) return '';
  const lines = description.replaceAll('*/', '*\\/').split('\n');
  return lines.length === 1
    ? `/** ${lines[0]} */\n`
    : `/**\n${lines.map((l) => ` * ${l}`).join('\n')}\n */\n`;
}
