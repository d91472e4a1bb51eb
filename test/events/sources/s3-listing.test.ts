import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { demandOrder, errorCodeOf, listPageOf } from '../../../src/events/sources/s3-listing.ts';

const list = (inner: string) =>
  `<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</ListBucketResult>`;
const contents = (key: string, tag = '&quot;e&quot;') =>
  `<Contents><Key>${key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>${tag}</ETag><Size>3</Size></Contents>`;
const object = { mark: 'e', bytes: 3, modifiedMs: Date.UTC(2026, 0, 1), isAtRest: true };

describe('a list of a bucket', () => {
  const cases: readonly (readonly [what: string, text: string, objects: object[], next?: string])[] = [
    ['nothing', '<IsTruncated>false</IsTruncated>', []],
    ['one object, whose key looks like a number', contents('007'), [{ ...object, key: '007' }]],
    ['a key as it is', contents('a+b%20&amp; '), [{ ...object, key: 'a+b%20& ' }]],
    ['a key whose characters are written as numbers', contents('&#34;&#x1F600;', '&#34;e&#34;'), [{ ...object, key: '"😀' }]],
    ['a key that is encoded', `<EncodingType>url</EncodingType>${contents('a%2Bb+c')}`, [{ ...object, key: 'a+b c' }]],
    ['an object without a tag', contents('a', ''), [{ ...object, key: 'a', mark: '3-2026-01-01T00:00:00.000Z' }]],
    ['a part', '<IsTruncated>true</IsTruncated><NextContinuationToken>1</NextContinuationToken>', [], '1'],
  ];
  for (const [what, text, objects, next] of cases) it(`says ${what}`, () => assert.deepEqual(listPageOf(list(text)), { objects, next }));

  it('is refused when it is none, or a part that is not followed by another', () => {
    for (const text of ['', '<html>', '{}', '<a><b></a>']) assert.throws(() => listPageOf(text), /no S3-compatible server/);
    const growing = `<!DOCTYPE a [<!ENTITY a "${'a'.repeat(100)}">]>${list(contents('&a;'))}`;
    assert.throws(() => listPageOf(growing), /no S3-compatible server/);
    assert.throws(() => listPageOf(list('<IsTruncated>true</IsTruncated>')), /does not say how to go on/);
    assert.throws(() => listPageOf(list(`<EncodingType>url</EncodingType>${contents('%zz')}`)), URIError);
  });

  it('has an error’s code, if it is one', () => {
    assert.equal(errorCodeOf('<Error><Code>NoSuchBucket</Code></Error>'), 'NoSuchBucket');
    assert.equal(errorCodeOf('oops'), '');
  });
});

describe('the order of a list', () => {
  const cases: readonly (readonly [keys: readonly string[], isInOrder: boolean])[] = [
    [['a-b', 'a/b', 'ab'], true],
    [['\uffee', '😀'], true],
    [['a/b', 'a-b'], false],
    [['a', 'a'], false],
  ];
  for (const [keys, isInOrder] of cases)
    it(`${isInOrder ? 'is' : 'is not'} that of ${keys.join(', ')}, also over two pages`, () => {
      const objects = keys.map((key) => ({ key }));
      for (const demand of [() => demandOrder(objects, undefined), () => demandOrder(objects.slice(1), keys[0])]) {
        if (isInOrder) demand();
        else assert.throws(demand, /not the order/);
      }
    });
});
