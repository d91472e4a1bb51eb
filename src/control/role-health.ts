/** What a role says of itself when it is asked. */
export interface RoleHealth {
  readonly ready: boolean;
  readonly detail: string;
}
