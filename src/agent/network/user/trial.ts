/** Makes once what a router is made of, in the namespace that pasta has started it in. Its end says whether that went well. */
import { tryRouter } from '../try-network.ts';

tryRouter();
