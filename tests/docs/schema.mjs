// JSON Schema as far as docs/openapi.json uses it. A keyword that is not known here is an error, so that nothing in the
// file is believed to be checked and is not.

const kinds = {
  null: (value) => value === null,
  boolean: (value) => typeof value === 'boolean',
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  array: Array.isArray,
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};

// What `#/components/schemas/Event` points to.
export function follow(document, node) {
  return node?.$ref ? follow(document, node.$ref.slice(2).split('/').reduce((at, part) => at[part.replaceAll('~1', '/')], document)) : node;
}

const size = (value) => [...value].length;
const isObject = kinds.object;
const complainIf = (wrong, at, text) => (wrong ? [`${at || 'the value'} ${text}`] : []);

// keyword: (what it says, the value, the document, where, the schema) gives complaints.
const keywords = {
  type: (said, value, _, at) => complainIf(![said].flat().some((kind) => kinds[kind](value)), at, `is no ${[said].flat().join(' or ')}`),
  enum: (said, value, _, at) => complainIf(!said.includes(value), at, `is none of ${said.join(', ')}`),
  pattern: (said, value, _, at) => complainIf(typeof value === 'string' && !new RegExp(said, 'u').test(value), at, `does not match ${said}`),
  minimum: (said, value, _, at) => complainIf(value < said, at, `is below ${said}`),
  maximum: (said, value, _, at) => complainIf(value > said, at, `is above ${said}`),
  minLength: (said, value, _, at) => complainIf(typeof value === 'string' && size(value) < said, at, 'is too short'),
  maxLength: (said, value, _, at) => complainIf(typeof value === 'string' && size(value) > said, at, 'is too long'),
  minItems: (said, value, _, at) => complainIf(Array.isArray(value) && value.length < said, at, 'has too few items'),
  maxItems: (said, value, _, at) => complainIf(Array.isArray(value) && value.length > said, at, 'has too many items'),
  required: (said, value, _, at) => (isObject(value) ? said.filter((name) => !(name in value)).map((name) => `${at}.${name} is missing`) : []),
  properties: (said, value, document, at) => (isObject(value)
    ? Object.entries(said).flatMap(([name, schema]) => (name in value ? complaints(document, schema, value[name], `${at}.${name}`) : [])) : []),
  additionalProperties: (said, value, _, at, schema) => {
    if (said !== false) {
      throw new Error('only additionalProperties: false is known here');
    }
    return isObject(value) ? Object.keys(value).filter((name) => !(name in schema.properties)).map((name) => `${at}.${name} is not expected`) : [];
  },
  items: (said, value, document, at) => (Array.isArray(value) ? value.flatMap((item, index) => complaints(document, said, item, `${at}[${index}]`)) : []),
  anyOf: (said, value, document, at) => {
    const tries = said.map((schema) => complaints(document, schema, value, at));
    return tries.some((found) => found.length === 0) ? [] : [`${at || 'the value'} is none of these: ${tries.map((found) => found.join(', ')).join('; ')}`];
  },
};
const remarks = new Set(['description', 'format', 'example']);

// What is wrong with a value, sentence by sentence; none means that it is as the schema says.
export function complaints(document, schema, value, at = '') {
  const followed = follow(document, schema);
  return Object.entries(followed).flatMap(([keyword, said]) => {
    if (remarks.has(keyword)) {
      return [];
    }
    if (!keywords[keyword]) {
      throw new Error(`the keyword ${keyword} is not known here`);
    }
    return keywords[keyword](said, value, document, at, followed);
  });
}
