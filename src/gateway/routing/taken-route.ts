import type { HttpRoute } from '../../model/http-route.ts';
import type { RateLimits } from '../protection/rate-limits.ts';

/** A route that requests can take: one for each of its methods. */
export interface OpenRoute {
  readonly tenant: string;
  /** The function's, or its alias's. */
  readonly key: string;
  readonly name: string;
  /** As the function is told it: `GET /users/{id}`. */
  readonly routeKey: string;
  readonly route: HttpRoute;
  /** Its parameters' names, in the path's order. */
  readonly names: readonly string[];
  /** A function's name could stand where it has a parameter: functions come first. */
  readonly isLoose: boolean;
  /** Of all its methods together. */
  readonly rates: RateLimits | undefined;
}

/** A route that a request has taken. */
export interface TakenRoute {
  readonly open: OpenRoute;
  /** Of its parameters, as they stand in the path. */
  readonly values: readonly string[];
}
