/** How often something is looked through that does not say by itself that it changed. */
import { z } from 'zod';

export const pollMsSchema = z.int().min(100).max(86_400_000).default(10_000);
