/** What is said of layers that are not as they would have to be. */
import { SwiftletError } from '../../model/errors.ts';
import { type LayerId, layerReference } from '../../model/layer.ts';

const shownFunctions = 10;
const named = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');

/**
 * @param who what names it
 * @param versions those that there are of this name, newest first
 */
export function layerMissing(who: string, id: LayerId, versions: readonly number[]): SwiftletError {
  const [newest, ...older] = versions;
  const there =
    newest === undefined
      ? `there is no layer "${id.name}"; publish it first: swiftlet layer publish ${id.name} <folder>`
      : `"${id.name}" has ${older.length === 0 ? `version ${newest} alone` : `${versions.length} versions, of which ${newest} is the newest`}; name one of them`;
  return new SwiftletError('LayerMissing', `${who} builds on the layer ${layerReference(id)}, which there is not: ${there}`, {
    place: 'config.layers',
  });
}

export const layerNotFound = (id: LayerId): SwiftletError =>
  new SwiftletError('LayerNotFound', `there is no layer ${layerReference(id)}; "swiftlet layer list" shows those there are`);

export function layerInUse(id: LayerId, { functions, pools }: { functions: readonly string[]; pools: readonly string[] }): SwiftletError {
  if (functions.length === 0)
    return new SwiftletError(
      'LayerInUse',
      `the layer ${layerReference(id)} is what ${pools.length === 1 ? 'the pool' : 'the pools'} ${named(pools)} ${pools.length === 1 ? 'preloads' : 'preload'} from; delete it first: swiftlet pool delete ${pools[0] ?? ''}`,
    );
  const shown =
    functions.length > shownFunctions
      ? `${named(functions.slice(0, shownFunctions))} and ${functions.length - shownFunctions} more`
      : named(functions);
  return new SwiftletError(
    'LayerInUse',
    `the layer ${layerReference(id)} is what versions of ${functions.length === 1 ? 'the function' : 'the functions'} ${shown} build on, kept ones among them; remove what builds on it, or deploy without it until those versions are no longer kept`,
  );
}
