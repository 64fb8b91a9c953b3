// Keeps an eye on the alerts from whatever page is open.

import type { Api } from "../api.ts";
import { poll } from "../poll.ts";

/** Seconds between two looks. */
const refresh = 15;

/** Calls show with the number of rules that fire, now and whenever it may have changed. */
export function watchAlerts(api: Api, show: (firing: number) => void): void {
	poll({
		// The login page has nobody yet who may ask.
		ask: async (signal) => (location.pathname === "/login" ? { rules: [] } : api.alerts(signal)),
		show({ rules }) {
			show(rules.filter((rule) => rule.state === "firing").length);
			return refresh;
		},
		// What cannot be asked is the page's to say; an old number would be wrong.
		fail: (error) => { if (error) show(0); },
	});
}
