export { mount } from "../alerts/page.ts";
