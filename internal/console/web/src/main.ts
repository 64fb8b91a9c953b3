// Puts the console together: shell, router, and what pages get.

import "./css/theme.css";
import "./css/shell.css";
import "./css/parts.css";
import { watchAlerts } from "./alerts/watch.ts";
import { Api, type Session } from "./api.ts";
import type { App } from "./app.ts";
import { toast } from "./overlay.ts";
import { Router } from "./router.ts";
import { Shell } from "./shell.ts";
import { Shortcuts } from "./shortcuts.ts";
import { Theme } from "./theme.ts";

const api = new Api();
const theme = new Theme();
const shortcuts = new Shortcuts();
let session: Session = { user: null, login: false };

function timeQuery(): string {
	const now = new URLSearchParams(location.search);
	const kept = new URLSearchParams();
	for (const name of ["from", "to", "timezone"]) {
		const value = now.get(name);
		if (value !== null) kept.set(name, value);
	}
	return kept.toString();
}

const app: App = {
	api,
	theme,
	get session() {
		return session;
	},
	navigate: (url, options) => router.navigate(url, options),
	onLocation: (listener) => router.onLocation(listener),
	setTitle: (title) => {
		document.title = title === "NetMeta" ? title : `${title} · NetMeta`;
	},
	announce: toast,
	shortcut: (key, description, run) => shortcuts.add(key, description, run),
	timeQuery,
};
const router: Router = new Router(document.getElementById("main")!, () => app);
const shell = new Shell(document.getElementById("shell")!, {
	api, theme, shortcuts, session: () => session, navigate: (url) => router.navigate(url), timeQuery,
});
router.onMove(() => shell.moved());

api.onLogin = () => {
	if (location.pathname === "/login") return;
	router.navigate(`/login?next=${encodeURIComponent(location.pathname + location.search)}`, { replace: true });
};

/** refreshSession asks who is logged in; a console without login has nobody. */
async function refreshSession(): Promise<void> {
	try {
		session = await api.session();
	} catch {
		session = { user: null, login: false };
	}
	shell.moved();
}

router.onMove(() => {
	// Coming from the login page, one is somebody else than before.
	if (session.login && !session.user && location.pathname !== "/login") void refreshSession().then(() => shell.load());
});

void router.show();
void shell.load();
void refreshSession();
watchAlerts(api, (firing) => shell.showFiring(firing));
