import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { queryText } from '../examples/example.ts';

/** @returns how to show an example in a tab; undefined while the editors are still loading */
export function useOpenExample(answers) {
  const { addTab, changeTab } = useGraphiQLActions();
  const tabs = useGraphiQL((state) => state.tabs);
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  if (queryEditor === undefined || variableEditor === undefined) return undefined;
  return (example) => {
    const query = queryText(example);
    const there = tabs.findIndex((tab) => tab.query === query);
    if (there >= 0) changeTab(there);
    else if (queryEditor.getValue() !== '') addTab();
    queryEditor.setValue(query);
    variableEditor.setValue(JSON.stringify(answers.fill(example.variables), null, 2));
  };
}
