/** Says that an answer comes another way than by returning. */
export const pending = Symbol('pending');
