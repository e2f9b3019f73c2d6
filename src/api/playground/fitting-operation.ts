import { Kind, parse } from 'graphql';

interface Asked {
  query: string;
  operationName?: string | null | undefined;
}

/**
 * Runs in the browser. The editor tells a moment late which operations are in it: run at once, a new text goes off with the
 * old text's operation name, which the server knows nothing of. A name that is not in the text is left out.
 */
export function withFittingOperation<Request extends Asked>(request: Request): Asked {
  const { operationName, ...rest } = request;
  return operationName && namesIn(request.query).includes(operationName) ? request : rest;
}

function namesIn(text: string): (string | undefined)[] {
  try {
    return parse(text).definitions.flatMap((part) =>
      part.kind === Kind.OPERATION_DEFINITION ? [part.name?.value] : [],
    );
  } catch {
    return []; // the server says what is wrong with it
  }
}
