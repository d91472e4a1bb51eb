/** The library for certificates, with what it needs of the language that the language does not have yet. Loaded by those only who make some. */
import 'reflect-metadata';

export * from '@peculiar/x509';
