declare const brand: unique symbol;

/** `T` that only the function which checked it can have made. Costs nothing at run time. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
