export { mount } from "../login/login.ts";
