// The password, where the console asks for one.

import "./login.css";
import type { ApiError } from "../api.ts";
import type { App } from "../app.ts";
import { fill, h } from "../dom.ts";

/** Where to go after the login: a path of this console and nothing else. */
export function target(search: string): string {
	const next = new URLSearchParams(search).get("next") ?? "/";
	const url = new URL(next, location.origin);
	return next.startsWith("/") && url.origin === location.origin && url.pathname !== "/login" ? url.pathname + url.search + url.hash : "/";
}

export function mount(root: HTMLElement, app: App): () => void {
	app.setTitle("Log in");
	const left = new AbortController();
	const go = (): void => app.navigate(target(location.search), { replace: true });
	const problem = h("p", { class: "error", role: "alert", hidden: true });
	const password = h("input", {
		type: "password", id: "password", name: "password", autocomplete: "current-password", required: true, "aria-describedby": "login-problem",
	});
	const button = h("button", { type: "submit", class: "primary" }, "Log in");
	problem.id = "login-problem";

	async function submit(event: Event): Promise<void> {
		event.preventDefault();
		button.disabled = true;
		problem.hidden = true;
		try {
			await app.api.login(password.value);
			go();
		} catch (error) {
			if (left.signal.aborted) return;
			problem.textContent = (error as ApiError).message;
			problem.hidden = false;
			password.select();
			password.focus();
		} finally {
			button.disabled = false;
		}
	}

	fill(root, h("div", { class: "login" },
		h("form", { class: "card", "aria-label": "Log in", on: { submit: (event: Event) => void submit(event) } },
			h("h1", {}, "NetMeta"),
			// Managers of passwords want to know whose it is.
			h("input", { type: "text", name: "username", value: "netmeta", autocomplete: "username", hidden: true }),
			h("label", { for: "password" }, "Password", password),
			problem, button,
			h("p", { class: "hint" }, "Whoever runs this NetMeta has set the password with --console-password-file, or knows where it is."))));
	password.focus();
	// Somebody who is logged in already, or need not be, is not asked.
	app.api.session(left.signal).then(({ user, login }) => { if (!login || user !== null) go(); }, () => undefined);
	return () => left.abort();
}
