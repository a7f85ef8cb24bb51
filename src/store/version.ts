/**
 * One version of the user's text and what can be derived from it, derived only when asked for and
 * only once: parsing costs far more than reading.
 */

import { parseYaml, type YamlLimits, type YamlText } from '../format/yaml/yaml-text.js';
import { deepFreeze, type YamlValue } from '../format/yaml/yaml-value.js';

/** A text of the checkpoint, without its seal line. */
export class Version {
  readonly text: string;
  readonly #limits: Partial<YamlLimits>;
  #yaml: YamlText | undefined;
  #state: { readonly value: unknown } | undefined;

  constructor(text: string, limits: Partial<YamlLimits>, yaml?: YamlText) {
    this.text = text;
    this.#limits = limits;
    this.#yaml = yaml;
  }

  /** The parsed text. @throws CheckpointError as {@link parseYaml} does */
  get yaml(): YamlText {
    this.#yaml ??= parseYaml(this.text, { limits: this.#limits });
    return this.#yaml;
  }

  /** The value as it stands in the file. */
  get value(): YamlValue {
    return this.yaml.value;
  }

  /** The value as the user's schema sees it; the file's own value where there is no schema. */
  get state(): unknown {
    return this.#state === undefined ? this.value : this.#state.value;
  }

  /** Keeps what the schema made of the value, frozen. */
  setState(value: unknown): void {
    this.#state = { value: deepFreeze(value) };
  }
}
