import { useGraphiQL } from '@graphiql/react';
import { useEffect } from 'react';
import { useOpenExample } from './open-example.js';

/** Shows nothing: wraps the editors' lines, and opens the first example for whoever comes for the first time. */
export function PrepareEditors({ answers, welcome }) {
  const open = useOpenExample(answers);
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const tabs = useGraphiQL((state) => state.tabs);
  const isReady = open !== undefined;
  useEffect(() => {
    if (!isReady) return;
    for (const editor of [queryEditor, variableEditor]) editor.updateOptions({ wordWrap: 'on' });
    if (tabs.length === 1 && queryEditor.getValue() === '') open(welcome);
  }, [isReady]); // once: what happens later is the user's
  return null;
}
