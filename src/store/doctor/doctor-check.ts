/**
 * What a diagnosis is made of: checks with a verdict, and what they mean for the four guarantees. Owns
 * how verdicts add up. Words only; nothing is looked at here. Told to users in `docs/cli.md`, "doctor".
 */
import { CheckpointError } from '../../errors.js';
import { systemCode } from '../../io/io-error.js';

/**
 * What this package promises.
 *
 * - `atomic`: whoever opens the checkpoint sees an old or a new one, whole
 * - `durable`: what a save promised survives a power failure
 * - `oneWriter`: nobody else saves into an open store
 * - `recoverable`: after a crash, or damage to the file, there is a checkpoint to go on from
 */
export type Guarantee = 'atomic' | 'durable' | 'oneWriter' | 'recoverable';

/** `warning`: a person should know. `problem`: a guarantee is not met, or saves will fail. */
export type DoctorVerdict = 'ok' | 'warning' | 'problem';

/** One check. */
export interface DoctorCheck {
  /** What was looked at, as a few words; stable. */
  readonly name: string;
  readonly verdict: DoctorVerdict;
  readonly found: string;
  /** What it means for the guarantees. */
  readonly means: string;
  /** What to do; absent where there is nothing to do. */
  readonly advice?: string;
  /** The guarantees that a warning limits and a problem breaks; none where all is ok. */
  readonly affects: readonly Guarantee[];
}

/** Whether a guarantee is met here. `limited`: with a restriction that the named checks explain. */
export interface GuaranteeVerdict {
  readonly guarantee: Guarantee;
  readonly met: 'yes' | 'limited' | 'no';
  /** Names of the checks that say why not. */
  readonly because: readonly string[];
}

const GUARANTEES: readonly Guarantee[] = ['atomic', 'durable', 'oneWriter', 'recoverable'];

/** What the checks mean for each guarantee. */
export function guaranteesOf(checks: readonly DoctorCheck[]): GuaranteeVerdict[] {
  return GUARANTEES.map((guarantee) => {
    const against = checks.filter(({ affects }) => affects.includes(guarantee));
    const isBroken = against.some(({ verdict }) => verdict === 'problem');
    const met = isBroken ? 'no' : against.length > 0 ? 'limited' : 'yes';
    return { guarantee, met, because: against.map(({ name }) => name) };
  });
}

/** A check that found all as it should be; `hint` is advice all the same. */
export function fine(name: string, found: string, means: string, hint?: string): DoctorCheck {
  return { name, verdict: 'ok', found, means, ...(hint && { advice: hint }), affects: [] };
}

/** What a finding consists of besides its verdict. */
export type Finding = Omit<DoctorCheck, 'verdict' | 'affects'> & {
  readonly affects?: readonly Guarantee[];
};

/** A finding that a person should know of. */
export function warning({ affects = [], ...finding }: Finding): DoctorCheck {
  return { ...finding, verdict: 'warning', affects };
}

/** A finding that breaks a guarantee or makes saves fail. */
export function problem({ affects = [], ...finding }: Finding): DoctorCheck {
  return { ...finding, verdict: 'problem', affects };
}

/**
 * The check, or, where looking failed, a problem that says so: one thing that can't be looked at must
 * not hide all the others. Defects and interruptions are thrown on.
 */
export async function examined(
  name: string,
  affects: readonly Guarantee[],
  check: () => DoctorCheck | Promise<DoctorCheck>,
): Promise<DoctorCheck> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof CheckpointError) && systemCode(error) === undefined) throw error;
    const found = error instanceof Error ? error.message : String(error);
    const means = 'It could not be examined, so nothing is known of it.';
    const advice = 'Put this right, then run doctor again.';
    return problem({ name, found, means, advice, affects });
  }
}
