// The editor for SQL. It lives in a shadow root: CodeMirror adds its styles to a
// document as a <style> element, which the Content-Security-Policy forbids, but to a
// shadow root as a constructed style sheet.

import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, startCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { sql } from "@codemirror/lang-sql";
import { bracketMatching, HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, Prec } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightSpecialChars, keymap, lineNumbers, placeholder, rectangularSelection } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { completion, explanation } from "./completion.ts";
import { clickhouse } from "./dialect.ts";
import { errorSpan } from "./position.ts";
import { noSchema, type Schema } from "./schema.ts";

export interface Editor {
	element: HTMLElement;
	text(): string;
	/** Replaces the text; undo brings the old one back. */
	setText(text: string): void;
	/** Writes text at the cursor. */
	insert(text: string): void;
	/** Uses what can be asked for in completion and colours. */
	setSchema(schema: Schema): void;
	/** Marks where an error is; undefined removes the mark. */
	markError(message: string | undefined): void;
	focus(): void;
	destroy(): void;
}

export interface EditorOptions {
	text: string;
	/** Ctrl-Enter, or Cmd-Enter. */
	run(): void;
	/** Escape; returns false where there is nothing to cancel, and it closes what is open. */
	cancel(): boolean;
	changed(text: string): void;
}

// Colours are the page's: custom properties reach into a shadow root.
const theme = EditorView.theme({
	"&": { color: "var(--text)", backgroundColor: "var(--sunken)", fontSize: "13px", borderRadius: "8px", border: "1px solid var(--line)" },
	"&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "1px" },
	".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", minHeight: "9.5em", maxHeight: "min(50vh, 460px)", overflow: "auto", borderRadius: "8px" },
	".cm-content": { caretColor: "var(--text)", padding: "8px 0" },
	".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--text)" },
	"&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "color-mix(in srgb, var(--accent) 26%, transparent)" },
	".cm-selectionMatch": { backgroundColor: "color-mix(in srgb, var(--accent) 14%, transparent)" },
	".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--accent) 5%, transparent)" },
	".cm-gutters": { backgroundColor: "transparent", color: "var(--muted)", border: "0" },
	".cm-placeholder": { color: "var(--muted)" },
	".cm-matchingBracket": { backgroundColor: "color-mix(in srgb, var(--accent) 22%, transparent)" },
	".cm-nonmatchingBracket": { color: "var(--bad)" },
	".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad) 1.5px", textUnderlineOffset: "3px", backgroundColor: "color-mix(in srgb, var(--bad) 16%, transparent)" },
	".cm-tooltip": {
		backgroundColor: "var(--card)", color: "var(--text)", border: "1px solid var(--line)", borderRadius: "8px",
		boxShadow: "0 6px 24px rgb(0 0 0 / 22%)", overflow: "hidden", fontSize: "13px",
	},
	".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "17em" },
	".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "2px 8px" },
	".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--accent)", color: "var(--on-accent)" },
	".cm-tooltip-autocomplete ul li[aria-selected] .cm-completionDetail": { color: "inherit" },
	".cm-completionDetail": { color: "var(--muted)", fontStyle: "normal", fontSize: "12px" },
	".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
	".cm-completionIcon": { opacity: "1", width: "1.4em" },
	".cm-completionInfo": { padding: "0", maxWidth: "420px" },
	".info": { padding: "8px 12px", maxWidth: "440px" },
	".info p": { margin: "4px 0 0", fontFamily: "var(--sans)", whiteSpace: "pre-line" },
	".info code": { fontFamily: "var(--mono)", fontSize: "12.5px", color: "var(--accent)", overflowWrap: "anywhere" },
	".info pre": { margin: "6px 0 0", padding: "6px 8px", borderRadius: "6px", background: "var(--sunken)", fontFamily: "var(--mono)", fontSize: "12px", whiteSpace: "pre-wrap" },
	".cm-diagnostic": { fontFamily: "var(--sans)", padding: "6px 10px", borderLeftColor: "var(--bad)", maxWidth: "480px" },
	".cm-panels": { backgroundColor: "var(--card)", color: "var(--text)", borderColor: "var(--line)" },
	".cm-textfield": { backgroundColor: "var(--sunken)", border: "1px solid var(--line)" },
	".cm-button": { backgroundImage: "none", backgroundColor: "var(--sunken)", border: "1px solid var(--line)" },
});

/** Writes over a selection here instead of in the browser, which would keep the colour of
 * what was there in a style attribute, and the Content-Security-Policy forbids those. */
const writeOver = EditorView.domEventHandlers({
	beforeinput(event, view) {
		const { from, to, empty } = view.state.selection.main;
		const text = event.data;
		if (empty || event.inputType !== "insertText" || text === null || event.isComposing) return false;
		const insert = () => view.state.update(view.state.replaceSelection(text), { userEvent: "input.type", scrollIntoView: true });
		// Others go first, as with any input: an opening bracket encloses the selection.
		if (!view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, text, insert))) view.dispatch(insert());
		event.preventDefault();
		return true;
	},
});

const colours = HighlightStyle.define([
	{ tag: tags.keyword, color: "var(--code-keyword)", fontWeight: "600" },
	{ tag: tags.typeName, color: "var(--code-type)" },
	{ tag: tags.standard(tags.name), color: "var(--code-function)" },
	{ tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
	{ tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
	{ tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
	{ tag: tags.operator, color: "var(--muted)" },
]);

export function createEditor(options: EditorOptions): Editor {
	const element = document.createElement("div");
	element.className = "sql-editor";
	const root = element.attachShadow({ mode: "open" });
	let schema: Schema = noSchema;
	const language = new Compartment();
	const highlighting = () => sql({ dialect: clickhouse(schema.functions.map((f) => f.name)) });

	const view = new EditorView({
		root,
		parent: root,
		state: EditorState.create({
			doc: options.text,
			extensions: [
				lineNumbers(), highlightSpecialChars(), history(), drawSelection(), rectangularSelection(), bracketMatching(), closeBrackets(),
				highlightActiveLine(), highlightSelectionMatches(), writeOver, EditorView.lineWrapping, indentUnit.of("  "),
				placeholder("SELECT …  (Ctrl-Space completes, Ctrl-Enter runs)"),
				language.of(highlighting()),
				syntaxHighlighting(colours), theme,
				autocompletion({ override: [completion(() => schema)], icons: true, maxRenderedOptions: 80 }),
				explanation(() => schema),
				EditorView.contentAttributes.of({ "aria-label": "SQL query", autocorrect: "off", autocapitalize: "off", spellcheck: "false" }),
				// Tab moves on, as everywhere on the page, unless it takes what is offered.
				Prec.highest(keymap.of([
					{ key: "Mod-Enter", run: () => { options.run(); return true; } },
					{ key: "Ctrl-Enter", run: () => { options.run(); return true; } },
					{ key: "Tab", run: acceptCompletion },
					{ key: "Escape", run: () => options.cancel() },
				])),
				keymap.of([...closeBracketsKeymap, ...completionKeymap, ...searchKeymap, ...historyKeymap, ...defaultKeymap,
					{ key: "Alt-Space", run: startCompletion },
				]),
				EditorView.updateListener.of((update) => { if (update.docChanged) options.changed(update.state.doc.toString()); }),
			],
		}),
	});

	return {
		element,
		text: () => view.state.doc.toString(),
		setText(text) {
			view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, selection: { anchor: text.length }, scrollIntoView: true });
		},
		insert(text) {
			view.dispatch(view.state.replaceSelection(text), { scrollIntoView: true });
			view.focus();
		},
		setSchema(known) {
			schema = known;
			view.dispatch({ effects: language.reconfigure(highlighting()) });
		},
		markError(message) {
			const text = view.state.doc.toString();
			const found = message === undefined ? undefined : errorSpan(text.trim(), message);
			// What runs is the text without the space around it.
			const before = text.length - text.trimStart().length;
			const span = found && { from: found.from + before, to: Math.min(found.to + before, text.length) };
			view.dispatch(setDiagnostics(view.state, span && message !== undefined ? [{ ...span, severity: "error", message }] : []));
			if (span) view.dispatch({ selection: { anchor: span.from }, scrollIntoView: true });
		},
		focus: () => view.focus(),
		destroy: () => view.destroy(),
	};
}
