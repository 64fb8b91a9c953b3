export { mount } from "../sql/page.ts";
