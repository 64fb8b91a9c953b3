export { mount } from "../setup/page.ts";
