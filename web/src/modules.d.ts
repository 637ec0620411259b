/* modules.d.ts - what build.ts lets the sources import besides code. */
declare module 'licences' {
  const text: string;
  export default text;
}
declare module '*.css';
