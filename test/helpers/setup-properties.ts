/**
 * One seed for every property of a run, so that the same commit gives the same result everywhere.
 * `FC_SEED=123` takes another, `FC_SEED=random` a new one each time; a failure prints what it was.
 */
import fc from 'fast-check';

const { FC_SEED = '20260101' } = process.env;
if (FC_SEED !== 'random')
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(FC_SEED) });
