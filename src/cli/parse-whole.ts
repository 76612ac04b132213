import { InvalidArgumentError } from "commander";

/**
 * Creates a parser of whole numbers for an option.
 *
 * @param what the kind of number in the error message, such as "a port".
 * @param range the smallest and the largest valid number.
 * @throws InvalidArgumentError (the parser) for any other text.
 */
export function parseWhole(what: string, { from, to }: { readonly from: number; readonly to: number }) {
  return (text: string): number => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= from && number <= to) return number;
    throw new InvalidArgumentError(`Use ${what} from ${from} to ${to}.`);
  };
}
