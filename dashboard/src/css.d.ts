/** The bundler makes a file of the style sheets that are imported. */
declare module "*.css";
