import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { buildPlace, buildPlaceOf } from '../../src/cli/build-place.ts';

describe('where dependencies are installed', () => {
  const facts = { wanted: undefined, hasDependencies: true, scripts: false, platform: { available: true, detail: '' } } as const;
  const away = { available: false, detail: 'no network' };

  test('on the platform where it can, else where one deploys; as one says; nowhere without any', () => {
    assert.equal(buildPlace(facts), 'platform');
    assert.equal(buildPlace({ ...facts, platform: away }), 'local');
    assert.equal(buildPlace({ ...facts, wanted: 'local' }), 'local');
    assert.equal(buildPlace({ ...facts, wanted: 'platform', platform: away }), 'platform', 'which says what is missing');
    assert.equal(buildPlace({ ...facts, hasDependencies: false, wanted: 'platform' }), 'local');
  });

  test('install scripts run on the platform and nowhere else', () => {
    assert.equal(buildPlace({ ...facts, scripts: true }), 'platform');
    assert.throws(() => buildPlace({ ...facts, scripts: true, wanted: 'local' }), { code: 'ManifestInvalid' });
    assert.throws(() => buildPlace({ ...facts, scripts: true, platform: away }), { code: 'IsolationUnavailable', message: /no network/ });
  });

  test('is one of two', () => {
    assert.equal(buildPlaceOf(undefined), undefined);
    assert.equal(buildPlaceOf('local'), 'local');
    assert.throws(() => buildPlaceOf('cloud'), {
      code: 'BadRequest',
      message: '--build: "cloud" is no place to build; it is local or platform',
    });
  });
});
